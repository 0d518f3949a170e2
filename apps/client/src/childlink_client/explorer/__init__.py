"""The explorer: pick measures, break them down, see charts and download them in a browser, without
a terminal.

Pages are rendered on the server, without scripts. Each page is one question, with an address that
you can share. The explorer asks over the analyst's own connection, so every visitor asks in the
analyst's name. For that reason it needs a ticket and listens on this machine only.
"""

from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer
from childlink_client.explorer.serving import Explorer, start

__all__ = ["Explorer", "Ticket", "create_explorer", "start"]
