"""Secrets to plant: none is real, each has the shape of a real one."""

from __future__ import annotations

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEA7bq4Yl2vQkGm9p0m1Uo3i6y7tqKjH2bZr5cXw8nDfVs4aEgT\n"
    "q1L0R9uYxPzKcJmWb3hNvF6sDtGe7iOa2kQlMfCy5rXjUwZpHn8oBgTdEvVs1KRL\n"
    "-----END RSA PRIVATE KEY-----"
)

# Provider keys, joined from halves so that nobody's scanner takes them for real ones.
KEYS = {
    "openai": "sk-" + "T3BlbkFJx9QmW2vR7yLs4KpD8nHc",
    "openai-project": "sk-proj-" + "aB3dE6fG9hJ2kL5mN8pQ1rS4tU7vW0xY_zA-bC",
    "openai-short": "sk-" + "abc12345",
    "anthropic": "sk-ant-api03-" + "Zx8Cv7Bn6Ml5Kj4Hg3Fd2Sa1Qw0Er9Ty",
    "openrouter": "sk-or-v1-" + "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github-oauth": "gho_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github-user": "ghu_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github-server": "ghs_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github-refresh": "ghr_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github-fine": "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789",
    "gitlab": "glpat-" + "xY9zW8vU7tS6rQ5pO4nM",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws-temporary": "ASIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "SyD9tSrke72PouQMnMX-a7eZSW0jkFMBWYz",
    "google-oauth": "ya29." + "a0AfH6SMBx3yD4w5Z6v7U8t9S0r1Q2p3",
    "slack-bot": "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "slack-user": "xoxp-" + "123456789012-123456789012-abcdef0123456789",
    "hugging-face": "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNm12345678",
    "npm": "npm_" + "1234567890abcdefghijABCDEFGHIJ123456",
    "pypi": "pypi-" + "AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTkwYWItY2RlZi0xMjM0LTU2Nzg5MGFiY2RlZg",
    "sendgrid": "SG." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKcqc3f8Ek",
    "stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "stripe-restricted": "rk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "twilio": "SK" + "0123456789abcdef0123456789abcdef",
    "groq": "gsk_" + "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0",
    "telegram": "123456789:AA" + "Hk1Lm2Np3Qr4St5Uv6Wx7Yz8Ab9Cd0Ef1",
    "jwt": JWT,
}
