"""The pytest plugin that the core's and the plugins' tests share: real servers, a county, accounts, clients."""
