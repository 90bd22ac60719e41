"""What operators do with a store that people have used."""
