"""The explorer: measures picked, broken down, drawn and taken along in a browser, for those who
will not open a terminal.

Server-rendered, without a script; every page is a question with an address that can be shared. It
asks through the analyst's own connection, so whoever reaches it asks in the analyst's name: that is
why it wants a ticket, and why it keeps to this machine.
"""

from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer
from childlink_client.explorer.serving import Explorer, start

__all__ = ["Explorer", "Ticket", "create_explorer", "start"]
