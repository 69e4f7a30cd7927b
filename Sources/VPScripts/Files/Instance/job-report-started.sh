#!/bin/sh
# Says how a job stands that was just started.

. ./job-open.sh
report log
