"""The health family: raw readings, activity and sleep → state → figures per person → figures of groups."""
