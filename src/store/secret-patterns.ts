/** All patterns of secrets. What comes first gives the name when two find the same. */
import { ASSIGNED_SECRETS } from "./secret-assignment.ts";
import { FORMED_SECRETS } from "./secret-form.ts";
import type { SecretPattern } from "./secret-pattern.ts";

export const SECRET_PATTERNS: readonly SecretPattern[] = [...FORMED_SECRETS, ...ASSIGNED_SECRETS];
