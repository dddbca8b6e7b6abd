"""The writer, the sweeper and their like on a store in memory, with crashes made by a seed."""
