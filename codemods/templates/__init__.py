"""Code that codemods write into the modules they mend: real modules, typed and tested as they stand."""
