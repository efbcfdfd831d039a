"""The engine of registers: lists, pages, forms, history and exports from one declaration."""
