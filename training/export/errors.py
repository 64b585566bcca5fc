"""What stops an export, in words for the person who asked for it."""


class ExportError(Exception):
    pass
