"""The benchmark: what a durable points movement costs on this machine, against known yardsticks.

    make bench                              everything, about 40 minutes; build/bench.json
    make bench BENCH_ARGS="--quick"         a look at everything in two minutes, nothing judged
    make bench BENCH_ARGS="--stage unary --rounds 3"

A rate says little about a machine that nobody else has, so every run measures its own yardsticks,
on the same PostgreSQL with the same durability (fsync and synchronous_commit on):

* **A**: pgbench TPC-B-like, scale 10, 16 clients, prepared statements.
* **B**: one event in a transaction of its own into a table with three unique indexes, by pgbench.
* **echo**: a gRPC call to the same server process that does nothing and answers 85 bytes.

Rounds are interleaved: every round runs every measure once, a ratio is taken within a round, and
what is reported is the median over rounds with the least and the greatest. `foreign` in the JSON is
how many cores other processes used meanwhile; distrust a round where it is not near zero.

What is measured how
--------------------
* The server is one process, as `loyalty serve` starts it, with tokens and metrics; its projections
  run only in the stage `projections`. The load comes from other processes on the same machine.
* Unary calls: h2load (Debian: nghttp2-client) keeps N calls in flight. It can only send one fixed
  body, so the bench's own server registers `bench.*` methods beside the product's, which put a
  fresh request id, document id and random member into the request's bytes and then call the
  product's handler with them: token, metrics, checks and all. The echo does the same replacing, so
  its cost (about a microsecond) is on both sides. The `python` measures call the product's own
  method with bodies made by the client; they confirm the figures, though a Python client burns as
  much CPU as the server. Without h2load it drives everything, and the report says so.
* After each measure the positions of the lanes tell how many events were recorded. Fewer than the
  client was told succeeded fail the benchmark: h2load does not look at gRPC's status.
* Batches and streams come from a Python client whose bodies are glued from prepared bytes. "Without
  rules" are documents of an earlier date, when a policy without earn rules was in force.
* `warm` members are cached in the server: each buys something before a round begins, and each round
  has members of its own, so that lots do not pile up. Before each sample its load runs for a while
  without being measured, so that connections, statements and caches are as in a long run.
* The hot account takes every document for 500 documents, then another account does (an account has
  at most 10,000 open lots). `cold` draws from all members with the default cache.
* `per_call` decides with the same code, but commits every call in a transaction of its own under a
  lock of the account's lane, over 16 connections, with the same cache (bench/per_call.py).
* CPU is taken from the operating system per process. Within the server, the stage `split` times the
  product's functions by thread CPU time, exclusive of each other; what no function accounts for is
  gRPC, asyncio and asyncpg's receiving side. Timing itself costs some 10 us a call: use the shares.
* The stage `floor` parses requests, and hashes and writes the events, keys and answers that the
  ledger had made of such requests, with nothing checked, looked up or decided and without gRPC: one
  thread's CPU time, as a rate of a core that does nothing else. What BatchPost costs beyond it and
  beyond gRPC is what checking and deciding cost.
* The stage `slow` preloads a shim into PostgreSQL that adds 2 ms to each fdatasync, as a cloud disk
  does. It is compiled with cc when the stage begins.

The embedded PostgreSQL is always used, in a folder below --data-dir (default /var/tmp: a real disk;
on tmpfs, fsync costs nothing and the figures mean nothing). DATABASE_URL is not looked at.
"""
