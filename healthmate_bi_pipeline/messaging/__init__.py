"""Messages to people and programs: what is written, and the channels that carry it."""
