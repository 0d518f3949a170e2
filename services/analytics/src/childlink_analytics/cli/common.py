"""The main command group."""

from childlink_catalogue.choosing import choose
from childlink_core.commands import service_group

main = service_group(
    "analytics",
    "Store linked observations, cut protected releases, and answer questions from the releases"
    " alone.",
    prepare=choose,
)
