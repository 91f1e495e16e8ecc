#!/bin/sh
# orders.mfrec, replayed by vegeta at the schedule's mean rate.
# Its command keeps one rate, so that the gaps and the ramps of the replay are not in it.
vegeta attack -format=json -targets=load -rate=8/3s \
  -duration=3s -timeout=60s -redirects=-1 -max-workers=100 |
  vegeta report
