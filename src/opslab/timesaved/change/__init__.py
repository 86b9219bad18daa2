"""What a change did: a design that survives a sceptic, from logs of before and after."""
