"""Reports: from figures of groups to a document, to HTML and JSON files; nothing here reads a database."""
