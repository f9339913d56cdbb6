"""A film as a page: its chapters, sentences and events beside the picture, linked both ways."""
