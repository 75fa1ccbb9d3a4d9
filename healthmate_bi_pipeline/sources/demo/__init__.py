"""The demo: seeded, synthetic people, written as landing files in several formats.

``places`` and ``clocks`` say where and when, ``devices`` with what, ``block`` holds who is drawn together and
their random numbers, ``people`` is the person table. ``roles`` gives people their parts in the planted
stories, which ``stories`` writes down. ``habits`` says what their days look like, ``movement`` their hours,
``regimes`` their drugs; ``world`` is all of that. ``heart``, ``pressure``, ``glucose``, ``body``, ``labs``,
``activity``, ``sleep``, ``medication``, ``symptoms`` and ``users`` turn it into rows, ``disorder`` makes them as
late, repeated and faulty as real ones (``defects`` says how), ``output`` writes them, ``writing_demo`` holds it
together. Everything is arrays over people and days. To add a dataset, add a module with a function from
``World`` to ``DemoRows`` and name it in ``writing_demo``; its bad rows go into ``defects``.
"""

from healthmate_bi_pipeline.sources.demo.stories import write_stories
from healthmate_bi_pipeline.sources.demo.writing_demo import (
    DEFAULT_PEOPLE,
    DEFAULT_SEED,
    DemoResult,
    write_demo,
)

__all__ = ["DEFAULT_PEOPLE", "DEFAULT_SEED", "DemoResult", "write_demo", "write_stories"]
