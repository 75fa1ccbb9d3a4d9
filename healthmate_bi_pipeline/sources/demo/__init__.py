"""The demo: seeded, synthetic people, written as landing files in several formats.

``people`` says who they are, ``clocks`` what time it is where they are, ``habits`` what their days look like,
``movement`` what they do by the hour; ``readings``, ``activity``, ``sleep`` and ``users`` turn that into
rows of one dataset each; ``disorder`` makes them as late, repeated and faulty as real ones; ``output`` writes
them; ``writing_demo`` holds it together. Everything is arrays over people and days. To add a dataset, add a
module with a function from ``World`` to ``DemoRows`` and name it in ``writing_demo``.
"""

from healthmate_bi_pipeline.sources.demo.writing_demo import DemoResult, write_demo

__all__ = ["DemoResult", "write_demo"]
