"""Other people's formats, one module each: ``recognises(head)`` and ``read(path)``. A new one is a new module here."""
