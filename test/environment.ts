process.env.PERFORMANCE_ADMIN_TOKEN = 'an-administrator-token-for-tests-only'
process.env.PERFORMANCE_LOG_ALL_METRICS = 'false'
