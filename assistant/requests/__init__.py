"""What a request asks for, told before anything is looked up."""
