"""How far a long computation is: a place for the encoder's progress."""


def advanced(done: int, of: int) -> None:
    """Tell that so many of all are done."""
    del done, of
