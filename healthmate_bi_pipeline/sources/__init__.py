"""Where rows come from: landing files, importers of foreign formats, and the demo population."""
