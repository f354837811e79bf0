"""Published networks: trained ones that come with ebnn, by name. Each has a folder here.

A folder NAME holds ``network.ebnn``; ``train.json`` and ``log.jsonl``, what ``ebnn train`` wrote of it; ``seeds.json``,
what the recipe came to with every seed; and ``README.md``, its model card, which :mod:`ebnn.published.card` makes of
the rest. ``tools/publish.py`` writes them.
"""

from .by_name import find_network, load
from .published_network import PublishedNetwork, TrainedSeed, load_published, network_file, network_names

__all__ = [
    "PublishedNetwork",
    "TrainedSeed",
    "find_network",
    "load",
    "load_published",
    "network_file",
    "network_names",
]
