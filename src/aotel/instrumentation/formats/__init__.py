"""The wire formats of model APIs: what a request and an answer in each of them say.

A new API is one file here; whoever speaks it (an SDK, a router of SDKs) finds its `Format` here.
"""
