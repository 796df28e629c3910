"""Who may call the API: a Cognito user pool that an operator fills, and its client."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

PASSWORD_LENGTH = 12
TOKEN_LIFETIME = Duration.hours(1)


class Users(Construct):
    """A user pool with e-mail sign-in and no self sign-up; it outlives its stack.

    A user's `sub` owns every record that the user makes, so a lost pool would orphan them all.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "UserPool",
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            self_sign_up_enabled=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=PASSWORD_LENGTH,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.client = self.pool.add_client(
            "Client",
            auth_flows=cognito.AuthFlow(user_password=True, user_srp=True),
            generate_secret=False,
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=TOKEN_LIFETIME,
            id_token_validity=TOKEN_LIFETIME,
        )
        stack = Stack.of(self)
        # Written out, because the local emulator's pool lacks the attribute ProviderURL.
        self.issuer = (
            f"https://cognito-idp.{stack.region}.{stack.url_suffix}/{self.pool.user_pool_id}"
        )
