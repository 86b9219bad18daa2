"""Themes that keep their identity: what a run knows of them, and hands to the next one."""
