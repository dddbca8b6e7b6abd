"""The metadata that the migrations must produce: the ledger's and the projections' tables."""

from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import MetaData

from ledger.schema import metadata as ledger_metadata


def target_metadata() -> list[MetaData]:
    """Return one MetaData per layer that owns tables."""
    targets = [ledger_metadata]
    # The read side can be left out of a deployment that only writes.
    if find_spec("projections") and find_spec("projections.schema"):
        targets.append(import_module("projections.schema").metadata)
    return targets
