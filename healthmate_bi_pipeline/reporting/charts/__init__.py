"""Charts as inline SVG: one module per family of charts, drawn by Altair through vl-convert.

``drawing`` is the way in and is imported where a chart is drawn: Altair takes half a second to load. All sizes
and margins are given, nothing is laid out by the width of a text, so that no font of this machine can be seen
in the bytes. Colours are names of CSS variables (``theme``), which the page gives for light, dark and print.
"""
