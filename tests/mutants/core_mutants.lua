--- What is broken in core/policy, by the name of the mutant: a file, a place and what stands there instead; the
--- checks of nas.testing.agent, the acceptance tests (tests/lua/test_acceptance.lua) and those of anchors (tests/lua/
--- test_anchors.lua) that must turn red. Each of these leaves a search that runs, and most leave one that seems to
--- learn.
return {
  -- The control: built like the mutants.
  none = { file = "choice.c", from = "return possible;", to = "return possible;" },

  argmax = {
    file = "choice.c",
    from = [[
    if (u < cumulative) return k;
    if (p[k] > 0) possible = k;
]],
    to = [[
    if (u < 0) return k;
    if (p[k] > p[possible]) possible = k;
]],
    checks = { "options come as often as their probabilities say" },
    tests = {
      "test_b_audits_find_no_bias", "test_b_sampled_gradients_approach_the_enumerated_one",
      "test_d_tokens_come_as_often_as_the_softmax_says",
    },
  },

  labels_off_by_one = {
    file = "choice.c",
    from = "(k == entry->chosen) - p[k]",
    to = "(k == (entry->chosen + 1) % entry->count) - p[k]",
    checks = { "a step along an architecture makes it more probable", "its gradients are those of log-probabilities" },
    tests = {
      "test_a_equal_rewards_have_no_expected_update", "test_b_the_gradient_is_that_of_differences_of_the_objective",
    },
  },

  wrong_sign = {
    file = "choice.c",
    from = "double d_s = given->log_prob * ((k == entry->chosen) - p[k]);",
    to = "double d_s = given->log_prob * (p[k] - (k == entry->chosen));",
    checks = { "a step along an architecture makes it more probable", "it learns" },
    tests = { "test_b_the_gradient_is_that_of_differences_of_the_objective" },
  },

  -- What is scored, and learned from, follows the first option of the decision before, whatever it was.
  wrong_prefix = {
    file = "episode.c",
    from = "  nas_lstm_forward(policy, tape, t);\n",
    to = "  if (!stream) tape->entries[t].option_row = 0;\n  nas_lstm_forward(policy, tape, t);\n",
    checks = { "what it proposes has the probability that its policy gives it" },
    tests = { "test_c_log_probabilities_recomputed_are_those_recorded" },
  },

  l2_times_reward = {
    file = "learn.c",
    from = "  if ((status = nas_policy_apply(policy, policy->gradient, &applied, err))) goto fail;\n",
    to = [[
  double l2 = policy->options.l2;
  policy->options.l2 = l2 * episodes[0].coefficients.log_prob;
  status = nas_policy_apply(policy, policy->gradient, &applied, err);
  policy->options.l2 = l2;
  if (status) goto fail;
]],
    checks = { "the regulariser does not depend on rewards" },
    tests = { "test_e_the_gradient_of_the_regulariser_does_not_depend_on_the_reward" },
  },

  anchors_inverted = {
    file = "anchor.c",
    from = "chosen[j] = nas_stream_double(stream) < p[2 * j + 1];",
    to = "chosen[j] = nas_stream_double(stream) < p[2 * j];",
    anchor_tests = { "test_connections_come_as_often_as_the_sigmoid_says", "test_agents_learn_connections" },
  },

  anchors_wrong_sign = {
    file = "anchor.c",
    from = "double d_s = given->log_prob * (chosen - p);",
    to = "double d_s = given->log_prob * (p - chosen);",
    anchor_tests = { "test_exact_gradient", "test_agents_learn_connections" },
  },

  -- The candidates' hidden states get no gradient from the anchors that take them.
  anchors_forget_candidates = {
    file = "anchor.c",
    from = [[
  nas_rows_multiply_to(kernels, &tape->d_joint, 0, &head->previous->transposed, &tape->d_hidden, 0,
                       candidates, n);
]],
    to = "",
    anchor_tests = { "test_exact_gradient" },
  },
}
