"""A small functions host for one machine: NOT the Azure Functions host, only its stand-in.

It drives a real `function_app.py` (Python v2 programming model) with queue, timer and HTTP triggers. Where it
behaves like Azure's host, the source is named at that place; what it leaves out is listed in `__main__`.
"""
