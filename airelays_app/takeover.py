"""How an application takes a client's connection over from the server, for WebSockets.

The server lends a function under :data:`KEY` of the WSGI environment. What the application gives
it is called with the client's socket once the application has returned; the answer that it
returned is not sent, and the connection is closed afterwards.
"""

from collections.abc import Callable
from socket import socket

KEY = "airelays.take_over"

Conversation = Callable[[socket], None]
