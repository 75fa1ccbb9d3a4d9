"""The user engagement family: sessions and events → state → figures per person → figures of groups."""
