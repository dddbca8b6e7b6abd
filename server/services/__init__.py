"""The five services of the contract: a servicer each, and what larger subjects of them need."""
