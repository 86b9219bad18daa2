"""Flow of work: how long it takes, where it waits, when it will be done."""
