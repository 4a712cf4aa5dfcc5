/* SPDX-License-Identifier: MIT */
/* How a judge of what somebody built says what is wrong: the sentence is what its function returns.
 */
#ifndef JUDGE_RULE_H
#define JUDGE_RULE_H

#define RULE(condition, text)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return text;                                                                           \
        }                                                                                          \
    } while (0)

#endif
