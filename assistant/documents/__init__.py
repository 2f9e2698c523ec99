"""Documents of any format: bytes -> text, with what they say of themselves."""
