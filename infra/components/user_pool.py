"""Who may call the API: a Cognito user pool that an operator fills, and its clients."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import (
    CfnCondition,
    CfnOutput,
    CfnParameter,
    CfnResource,
    Duration,
    Fn,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.settings import StageSettings

PASSWORD_LENGTH = 12
GROUPS: Mapping[str, str] = {
    "reviewers": "Read everything of their own; edit, approve and reject conversations; cancel",
    "writers": "Also order conversations and judgements, and make training files and datasets",
    "trainers": "Also order training",
}
"""As in http/permissions.py, by test; a pool that is given has them from its first deployment."""
TOKEN_LIFETIME = Duration.hours(1)
CONSOLE_SESSION = Duration.hours(12)
"""How long a tab stays signed in: a working day."""


def user_pool(stack: Stack, *, export_name: str) -> None:
    """Create the user pool, with e-mail sign-in and no self sign-up, and export its id.

    A user's `sub` owns every record that the user makes, so a lost pool would orphan them all: it
    belongs to the stack of what stays, outlives even that, and a deployment that finds it again
    takes it by the parameter. CloudFormation keeps a parameter's value over later deployments.
    """
    existing = CfnParameter(
        stack,
        "ExistingUserPoolId",
        default="",
        allowed_pattern="([a-z0-9-]+_[A-Za-z0-9]+)?",
        constraint_description="must be a user pool's id (us-east-1_...), or empty",
        description="A user pool whose users own what is here; empty: one of this stack's own",
    ).value_as_string
    own = Fn.condition_equals(existing, "")
    made = CfnCondition(stack, "OwnUserPool", expression=own)
    given = CfnCondition(stack, "GivenUserPool", expression=Fn.condition_not(own))
    pool = cognito.UserPool(
        stack,
        "UserPool",
        sign_in_aliases=cognito.SignInAliases(email=True),
        sign_in_case_sensitive=False,
        self_sign_up_enabled=False,
        auto_verify=cognito.AutoVerifiedAttrs(email=True),
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
    groups = [
        cognito.CfnUserPoolGroup(
            stack,
            f"Group{name.capitalize()}",
            user_pool_id=pool.user_pool_id,
            group_name=name,
            description=may,
        )
        for name, may in GROUPS.items()
    ]
    for group in groups:
        # A group that went would take its members along, and they would be in none.
        group.apply_removal_policy(RemovalPolicy.RETAIN)
    for resource in (pool.node.default_child, *groups):
        if isinstance(resource, CfnResource):
            resource.cfn_options.condition = made
    for name, value, condition in (
        ("OwnUserPoolId", pool.user_pool_id, made),
        ("GivenUserPoolId", existing, given),
    ):
        CfnOutput(stack, name, value=value, condition=condition, export_name=export_name)


class Users(Construct):
    """The clients of a user pool, and the address of its sign-in pages."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pool_id: str,
        origin: str,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool.from_user_pool_id(self, "UserPool", pool_id)
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
        self.console_client = self._console_client(origin)
        stack = Stack.of(self)
        self.domain = self.pool.add_domain(
            "SignIn",
            # Unique in the region over all accounts; the default stage is named here, too.
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=f"brightrun-{settings.stage}-{stack.account}"
            ),
        )
        # Written out, because the local emulator's pool lacks the attribute ProviderURL.
        self.issuer = f"https://cognito-idp.{stack.region}.{stack.url_suffix}/{pool_id}"

    def _console_client(self, origin: str) -> cognito.UserPoolClient:
        """The console's client: Cognito's own pages sign in, and hand over a code (PKCE)."""
        return self.pool.add_client(
            "ConsoleClient",
            auth_flows=cognito.AuthFlow(),
            generate_secret=False,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[
                    cognito.OAuthScope.OPENID,
                    cognito.OAuthScope.EMAIL,
                    cognito.OAuthScope.COGNITO_ADMIN,  # what the API asks of a token
                ],
                callback_urls=[f"{origin}/"],
                logout_urls=[f"{origin}/"],
            ),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=TOKEN_LIFETIME,
            id_token_validity=TOKEN_LIFETIME,
            refresh_token_validity=CONSOLE_SESSION,
        )
