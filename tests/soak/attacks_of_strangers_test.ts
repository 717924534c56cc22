import { testAttacks } from "./attack_tests.ts";
import { ATTACKS_OF_STRANGERS } from "./attacks.ts";

testAttacks(ATTACKS_OF_STRANGERS);
