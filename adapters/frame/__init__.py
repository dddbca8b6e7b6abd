"""The frame that carries every adapter: inbox, worker, mappings, posting, operators' views.

A delivery is verified and made durable before it is acknowledged; everything else happens later, in
a worker, where one bad item touches no other. What an adapter has to say is in `adapter`.
"""
