"""Clients and the settings with which each reaches the relay, one row a client."""

from airelays_app.cli.clients.agents import AGENTS
from airelays_app.cli.clients.apps import APPS
from airelays_app.cli.clients.row import Client, Connection, Step
from airelays_app.cli.clients.sdks import SDKS

CLIENTS: dict[str, Client] = {client.slug: client for client in (*AGENTS, *APPS, *SDKS)}
"""Every known client by the name that ``airelays connect`` takes."""

__all__ = ["CLIENTS", "Client", "Connection", "Step"]
