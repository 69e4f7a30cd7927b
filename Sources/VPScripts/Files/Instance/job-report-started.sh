#!/bin/sh
# Reports the state of a job that was just started.

. ./job-open.sh
report log
