"""The donations table: how many of 11,104 donors gave in which of six years, by pattern.

Fader, Hardie & Shang (2010), Marketing Science 29:1086, table 1: donors to a public radio station who first gave in
1995, and their gifts of 1996 to 2001. As distributed with lifetimes (MIT, © 2015 Cameron Davidson-Pilon).
"""

from healthmate_bi_pipeline.domain.bgbb import Patterns

_ROWS = (
    (0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129),
    (2, 2, 613), (2, 3, 255), (2, 4, 155), (2, 5, 173), (2, 6, 234), (3, 3, 322), (3, 4, 181), (3, 5, 225), (3, 6, 357),
    (4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335), (5, 6, 728), (6, 6, 1203),
)  # fmt: skip

DONATIONS = Patterns.of(
    [active for active, _, _ in _ROWS], [last for _, last, _ in _ROWS], 6, [people for _, _, people in _ROWS]
)
