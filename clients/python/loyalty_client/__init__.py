"""Client of the loyalty ledger: `Client` and `AsyncClient`, refusals as exceptions, a till's queue.

    with Client(Connection("127.0.0.1:7070", token, origin=origin("market"))) as client:
        client.burn_points(BurnPointsRequest(member=identity("card", "8800"), points=points(500)))

docs/clients.md of the project tells what is sent again and when, and what the queue guarantees.
"""

from loyalty_client.aio import AsyncClient as AsyncClient
from loyalty_client.batching import Result as Result
from loyalty_client.building import document as document
from loyalty_client.building import folio as folio
from loyalty_client.building import identity as identity
from loyalty_client.building import item as item
from loyalty_client.building import line as line
from loyalty_client.building import member as member
from loyalty_client.building import money as money
from loyalty_client.building import order as order
from loyalty_client.building import origin as origin
from loyalty_client.building import points as points
from loyalty_client.building import sale as sale
from loyalty_client.building import stay as stay
from loyalty_client.building import timestamp as timestamp
from loyalty_client.client import Client as Client
from loyalty_client.connection import Connection as Connection
from loyalty_client.errors import LoyaltyError as LoyaltyError
from loyalty_client.errors import NoAnswer as NoAnswer
from loyalty_client.errors import Refusal as Refusal
from loyalty_client.errors import Violation as Violation
from loyalty_client.filling import position_of as position_of
from loyalty_client.retrying import service_config as service_config
