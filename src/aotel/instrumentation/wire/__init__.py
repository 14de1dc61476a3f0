"""Model calls seen on the wire: requests as they are sent, and the bodies of answers as they are read."""
