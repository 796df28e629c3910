"""Step Functions for local runs: the subset of Amazon States Language that the project uses.

Standard workflows in plain JSONPath with Task (``lambda:invoke``), Choice, Wait, Pass, Succeed,
Fail and inline Map, Retry and Catch. What lies outside is refused when a state machine is
created (``definition_lint``), so a definition never runs differently here than on AWS.
Source: https://states-language.net and the AWS Step Functions developer guide.
"""
