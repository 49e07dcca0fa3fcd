/* The policy of an architecture search: an LSTM that makes one decision after the other (Zoph & Le
 * 2017, "Neural Architecture Search with Reinforcement Learning", sec. 3).
 *
 * A decision is a name ("kernel") and a list of options, given as a key text ("1,3") and a count.
 * The policy gives each option a probability; an episode is a sequence of decisions, and which
 * decision comes next may depend on what was chosen before. The input of a step is the sum of three
 * vectors: one for the option that the step before chose (a start vector at the first step), one
 * for this decision's name, one for its occurrence (how often the name came before in the episode).
 * Two option lists under one name are two heads.
 *
 * There is a second kind of decision, the anchor point (sec. 3.3): which of some earlier anchors to
 * connect to. Each of these candidates is chosen or not, on its own, with a probability that
 * follows from the LSTM's outputs at the two anchors (anchor.h). The step after an anchor has, in
 * the place of the option's vector, the mean of the outputs at the anchors that were chosen, or
 * zeros if none were.
 *
 * Beside its distribution, a decision can have a value: what the policy expects of the episode
 * before the decision is made (nas_policy_values), for algorithms with a critic.
 *
 *   nas_policy    parameters, their initial values, the state of Adam
 *   nas_tape      one episode: what was chosen, and all that back-propagation needs
 *   nas_policy_gradient   a sum over episodes, in the direction that increases the objective
 *
 * The policy knows nothing of rewards. It maximises sums of coefficients that the caller computes:
 * advantage * log pi for REINFORCE, and so on. Coefficients are summed over episodes; who wants a
 * mean divides by the number of episodes.
 *
 * Numbers. Parameters and the arithmetic of the LSTM are float32, each element one chain of fused
 * multiply-adds in a stated order (lstm.h); probabilities, logarithms and entropies are computed in
 * double from float logits. All are the same bits on every machine. Logarithms are natural.
 *
 * Parameters appear when they are first used, with a value that follows from the policy's seed and
 * their key only (zero for the value head, so that it says nothing until it has learned), so that
 * the order of use changes no initial value. Norms and sums over all parameters run over those that
 * have appeared, in the order of their keys (as unsigned bytes). With l2 above 0 each step makes
 * all that have appeared smaller, also those that only a read (nas_policy_score, nas_policy_kl) has
 * made appear, and counts them in the norm: when something is first asked changes what is learned
 * then. Without l2 it changes nothing.
 *
 * Threads. One policy, with its tapes and gradients, is used from one thread at a time; different
 * policies are independent. Failure. A function that fails leaves policy, tape and gradient as they
 * were, unless it says otherwise. Handles are owned by whoever called create, decode or load, and
 * are NULL after a failure; destroy functions accept NULL and a pointer to NULL, and clear it. */
#ifndef NAS_POLICY_H
#define NAS_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <nas/api.h>
#include <nas/options.h>
#include <nas/random.h>
#include <nas/status.h>
#include <nas/text.h>

typedef struct nas_policy nas_policy;
typedef struct nas_tape nas_tape;
typedef struct nas_policy_gradient nas_policy_gradient;

/* ---- Decisions ---------------------------------------------------------------------------- */

typedef enum nas_decision_kind {
  NAS_DECISION_CHOICE, /* one of `count` options, by softmax */
  NAS_DECISION_ANCHOR, /* any of `count` earlier anchors, each by its own sigmoid */
} nas_decision_kind;

enum {
  NAS_DECISION_NAME_MAX = 255,      /* bytes of a name, at least 1 */
  NAS_DECISION_OPTIONS_MAX = 65535, /* bytes of the key text of an option list, at least 1 */
  NAS_DECISION_COUNT_MAX = 4096,    /* options, at least 1; candidates, at least 0 */
  NAS_TAPE_LENGTH_MAX = 65536,      /* decisions in one episode */
};

/* One decision as it is recorded: an array of these is an architecture. */
typedef struct nas_decision {
  nas_decision_kind kind;
  const char *name; /* NUL-terminated UTF-8 */
  int occurrence;   /* decisions of this name, of any kind, that came before it in the episode */
  int count;        /* options in the list; candidates of an anchor */

  /* of a choice */
  const char *options; /* key text of the option list; equal texts mean equal lists */
  int chosen;          /* 0 .. count-1 */

  /* of an anchor; may be NULL where count is 0 */
  const int *candidates; /* [count] positions (from 0) of earlier anchors of any name; increasing */
  const unsigned char *chosen_set; /* [count] 0: not chosen; anything else: chosen */
} nas_decision;

/* Whether a space that is run again asks what was recorded. Compares kind, name, occurrence, count
 * and options or candidates (not what is chosen) of *asked, its decision number `position` (from
 * 0), with recorded[position]; asked == NULL means that the space asks nothing more. NAS_OK when
 * they agree, also when both have ended. Else NAS_ARGUMENT, with a message that tells the position
 * and both sides: other options or candidates under the same name, another decision, a record that
 * is too short or too long. */
NAS_API nas_status nas_decision_check(const nas_decision *recorded, int count, int position,
                                      const nas_decision *asked, nas_error *err);

/* ---- Options ------------------------------------------------------------------------------ */

typedef struct nas_policy_options {
  int layers;           /* of the LSTM: 1 to 8 */
  int units;            /* cells of a layer, and length of every embedding: 1 to 1024 */
  double init;          /* parameters, biases too, begin uniform in [-init, init); but value/... */
  double forget_bias;   /* added to the forget gates' input; 0 as in the paper */
  double temperature;   /* logits are divided by it */
  double tanh_constant; /* C > 0: logits become C tanh(logit / temperature); 0: off */
  double rate;          /* Adam (Kingma & Ba 2015): step size */
  double beta1;         /* decay of the mean of gradients, per step */
  double beta2;         /* decay of the mean of squared gradients, per step */
  double epsilon;       /* added to the root of the latter */
  double clip_norm;     /* largest Euclidean norm of the gradient; 0: off */
  double l2;            /* the objective loses l2 * (sum of squared parameters so far) */
  double value_rate;    /* instead of rate, for the value head's own parameters */
} nas_policy_options;

enum { NAS_POLICY_OPTIONS = 13 };

/* Names, defaults (the preset "paper"), ranges and one sentence each, in the order of the struct.
 */
NAS_API extern const nas_option_table nas_policy_option_table;

/* The names of the presets, NULL-terminated:
 *   paper  2 layers of 35 units, init 0.08, Adam with rate 6e-4: for thousands of episodes
 *   small  1 layer of 35 units, init 0.4, tanh constant 2.5, Adam with rate 6e-3 and beta1 0.5: for
 *          some tens to a few hundred episodes */
NAS_API extern const char *const nas_policy_presets[];

/* Fills options with the preset "paper". */
NAS_API void nas_policy_options_default(nas_policy_options *options);

/* Fills options with that preset. NAS_ARGUMENT with the known names otherwise; options are then
 * unchanged. */
NAS_API nas_status nas_policy_options_preset(nas_policy_options *options, const char *name,
                                             nas_error *err);

/* Between the struct and the values of nas_policy_option_table. */
NAS_API void nas_policy_options_to_values(const nas_policy_options *options,
                                          nas_option_value values[NAS_POLICY_OPTIONS]);
NAS_API void nas_policy_options_from_values(nas_policy_options *options,
                                            const nas_option_value values[NAS_POLICY_OPTIONS]);

/* ---- Policies ----------------------------------------------------------------------------- */

/* A policy whose parameters follow from seed. options may be NULL for the default. NAS_ARGUMENT for
 * an option out of range; NAS_MEMORY. */
NAS_API nas_status nas_policy_create(nas_policy **policy, const nas_policy_options *options,
                                     uint64_t seed, nas_error *err);

/* Tapes and gradients of the policy stay destroyable, and are good for nothing else then. */
NAS_API void nas_policy_destroy(nas_policy **policy);

/* Valid while the policy lives. */
NAS_API const nas_policy_options *nas_policy_options_of(const nas_policy *policy);
NAS_API uint64_t nas_policy_seed(const nas_policy *policy);

/* Optimiser steps so far. */
NAS_API uint64_t nas_policy_steps(const nas_policy *policy);

/* ---- Episodes ----------------------------------------------------------------------------- */

/* An empty tape for policies of that policy's layers and units. NAS_MEMORY. */
NAS_API nas_status nas_tape_create(nas_tape **tape, const nas_policy *policy, nas_error *err);
NAS_API void nas_tape_destroy(nas_tape **tape);

typedef enum nas_policy_weights {
  NAS_POLICY_CURRENT,
  NAS_POLICY_INITIAL, /* the parameters before any step; such a tape has no gradient */
} nas_policy_weights;

/* Begins an episode: empties the tape, keeps its memory, so that an episode no longer than an
 * earlier one allocates nothing (but for parameters that appear). NAS_ARGUMENT when the tape was
 * made for other layers or units. */
NAS_API nas_status nas_policy_begin(nas_policy *policy, nas_tape *tape, nas_policy_weights weights,
                                    nas_error *err);

/* The next decision of the episode, sampled: p is computed, and one nas_stream_double picks the
 * first option whose cumulative probability exceeds it. An option of probability 0 is never picked.
 * *chosen and *log_prob (may be NULL) receive the option and its log-probability.
 *
 * NAS_ARGUMENT for a bad name, option text or count, or a count that contradicts an earlier use of
 * the same name and options; NAS_STATE when no episode was begun or the policy has learned since;
 * NAS_LIMIT for a too long episode; NAS_DIVERGED when a logit is not finite; NAS_MEMORY. The
 * episode can go on after a failure; the stream has moved on only after success. */
NAS_API nas_status nas_policy_choose(nas_policy *policy, nas_tape *tape, const char *name,
                                     const char *options, int count, nas_stream *stream,
                                     int *chosen, double *log_prob, nas_error *err);

/* The same with a given choice (teacher forcing): the log-probability is bit for bit the one that
 * sampling it reports. Also NAS_ARGUMENT for chosen outside 0 .. count-1. */
NAS_API nas_status nas_policy_force(nas_policy *policy, nas_tape *tape, const char *name,
                                    const char *options, int count, int chosen, double *log_prob,
                                    nas_error *err);

/* The next decision is an anchor, sampled: one nas_stream_double for each candidate, in their
 * order, chooses it when it is below its probability. candidates[count] as in nas_decision.
 * chosen_set (may be NULL) receives 0 or 1 for each, *log_prob (may be NULL) the sum of their
 * log-probabilities. Without candidates nothing is drawn or chosen, and the log-probability is 0.
 *
 * NAS_ARGUMENT for a bad name or count, and for a candidate that is no earlier anchor or not after
 * the candidate before it; else as nas_policy_choose. */
NAS_API nas_status nas_policy_anchor(nas_policy *policy, nas_tape *tape, const char *name,
                                     const int *candidates, int count, nas_stream *stream,
                                     unsigned char *chosen_set, double *log_prob, nas_error *err);

/* The same with given choices, and the same log-probability. */
NAS_API nas_status nas_policy_force_anchor(nas_policy *policy, nas_tape *tape, const char *name,
                                           const int *candidates, int count,
                                           const unsigned char *chosen_set, double *log_prob,
                                           nas_error *err);

/* An episode of recorded decisions: begin, then force each. Errors of both, with the position; also
 * NAS_ARGUMENT for a recorded occurrence that is not the true one. After a failure the tape is
 * empty. With l2, parameters that appear here count in each later step. */
NAS_API nas_status nas_policy_score(nas_policy *policy, nas_tape *tape, nas_policy_weights weights,
                                    const nas_decision *decisions, int count, nas_error *err);

/* Decisions on the tape. */
NAS_API int nas_tape_length(const nas_tape *tape);

/* Sums over the tape in the order of its decisions: log pi(episode); sum of entropies. */
NAS_API double nas_tape_log_prob(const nas_tape *tape);
NAS_API double nas_tape_entropy(const nas_tape *tape);

/* A choice has one outcome for each option, an anchor two for each candidate: not chosen, chosen.
 */
typedef struct nas_policy_step {
  nas_decision decision; /* its texts belong to the policy, its candidates and chosen set to the
                            tape, as the arrays below */
  double log_prob;       /* log pi(what is chosen | the decisions before) */
  double entropy;        /* -sum p log p, in nats: of an anchor, the sum over its candidates */
  int outcomes;          /* count; 2 count of an anchor */
  const double *probabilities;     /* [outcomes] */
  const double *log_probabilities; /* [outcomes]; finite also where the probability rounds to 0 */
} nas_policy_step;

/* What the tape holds of decision `position` (0 .. length-1). The arrays are valid until the tape
 * is next written to or destroyed. NAS_ARGUMENT for another position. */
NAS_API nas_status nas_tape_step(const nas_tape *tape, int position, nas_policy_step *step,
                                 nas_error *err);

/* V of each decision on the tape, before it is made: values[length]. V_t depends on the decision
 * that is asked and on what was chosen before it. Zero until coefficients of values were learned;
 * always zero on a tape of the initial weights. The value head's parameters appear at first use.
 * NAS_STATE when the tape holds no episode of this policy or the policy has learned since;
 * NAS_DIVERGED for a value that is not finite; NAS_MEMORY. After a failure the numbers in values
 * mean nothing. */
NAS_API nas_status nas_policy_values(nas_policy *policy, nas_tape *tape, double *values,
                                     nas_error *err);

/* KL(current || initial) of recorded decisions, in nats: sum over the episode's decisions of
 * sum_k p_k (log p_k - log q_k) over outcomes, p and q both given what was chosen before. Errors of
 * nas_policy_score. */
NAS_API nas_status nas_policy_kl(nas_policy *policy, const nas_decision *decisions, int count,
                                 double *kl, nas_error *err);

/* ---- Learning ----------------------------------------------------------------------------- */

/* The objective of an episode of T decisions, linear but for its last part:
 *
 *   sum over t of   (log_prob + log_probs[t]) * log pi(what is chosen at t)
 *                 + (entropy + entropies[t]) * H_t
 *                 + sum over k of option_log_probs[t][k] * log p_t(k)
 *                 + values[t] * V_t
 *   - skip_weight * sum over all candidates of all anchors of KL(p || skip_prior)
 *
 * k runs over outcomes (nas_policy_step). An absent array counts as zeros, as does an absent row of
 * option_log_probs. The sum of entropies is the usual bonus; its gradient is not that of the
 * entropy of whole episodes. The gradient of V reaches the LSTM, too; to come closer to targets,
 * ascend -c (target - V)^2 by values[t] = 2 c (target - V_t), with V_t from nas_policy_values.
 *
 * The skip prior draws each candidate's probability p to be chosen towards it (Pham et al. 2018,
 * ENAS, with 0.4 and the weight 0.8):
 * KL(p || r) = p log(p / r) + (1 - p) log((1 - p) / (1 - r)). */
typedef struct nas_coefficients {
  double log_prob;                       /* REINFORCE: the advantage */
  double entropy;                        /* the weight of the entropy bonus */
  const double *log_probs;               /* [T] or NULL */
  const double *entropies;               /* [T] or NULL */
  const double *const *option_log_probs; /* [T][outcomes of decision t], or NULL */
  const double *values;                  /* [T] or NULL: of V */
  double skip_weight;                    /* 0 or more */
  double skip_prior;                     /* inside (0, 1); not looked at where skip_weight is 0 */
} nas_coefficients;

/* An empty sum, for that policy only. NAS_MEMORY. */
NAS_API nas_status nas_policy_gradient_create(nas_policy_gradient **gradient,
                                              const nas_policy *policy, nas_error *err);
NAS_API void nas_policy_gradient_destroy(nas_policy_gradient **gradient);

/* Back to the empty sum; keeps the memory. */
NAS_API void nas_policy_gradient_clear(nas_policy_gradient *gradient);

/* Adds the gradient of the tape's objective with respect to all parameters; those of the value head
 * appear at the first coefficients of values. NAS_STATE when the tape
 * is of another policy, of the initial weights, or older than the policy's last step;
 * NAS_ARGUMENT for a coefficient that is not finite, a negative skip_weight and a skip_prior
 * outside (0, 1); NAS_MEMORY. */
NAS_API nas_status nas_policy_accumulate(nas_policy *policy, nas_tape *tape,
                                         const nas_coefficients *coefficients,
                                         nas_policy_gradient *gradient, nas_error *err);

typedef struct nas_policy_applied {
  double gradient_norm; /* of the gradient with its l2 part, before clipping */
  double l2;            /* l2 * (sum of squared parameters), before the step */
} nas_policy_applied;

/* One step of Adam along the gradient (ascent), which is left as it is. k = steps so far + 1; scale
 * is clip_norm / ||gradient - 2 l2 w|| where clip_norm > 0 and the norm is larger, else 1:
 *   g = (gradient - 2 l2 w) scale
 *   m = beta1 m + (1 - beta1) g           v = beta2 v + (1 - beta2) (g g)
 *   w = w + (rate / (1 - beta1^k)) m / (sqrt(v) (1 / sqrt(1 - beta2^k)) + epsilon)
 * in float, each operation rounded, but for the numbers of the whole step, 2 l2, scale, 1 - beta1,
 * 1 - beta2, rate / (1 - beta1^k) and 1 / sqrt(1 - beta2^k): in double, then rounded. value_rate
 * instead of rate for the value head's own parameters. *applied may be NULL. NAS_DIVERGED when the
 * gradient or a result is not finite; NAS_STATE for the gradient of another policy. */
NAS_API nas_status nas_policy_apply(nas_policy *policy, const nas_policy_gradient *gradient,
                                    nas_policy_applied *applied, nas_error *err);

typedef struct nas_episode {
  const nas_decision *decisions;
  int count;
  nas_coefficients coefficients;
} nas_episode;

/* Everything is measured before the step. */
typedef struct nas_policy_learned {
  double policy_loss;   /* -(sum over episodes of the log-probability parts of the objective) */
  double entropy_loss;  /* -(sum over episodes of the entropy part) */
  double value_loss;    /* -(sum over episodes of the part of V) */
  double skip_loss;     /* -(sum over episodes of the part of the skip prior) */
  double l2;            /* as in nas_policy_applied */
  double loss;          /* the sum of these five: what the step descends */
  double entropy;       /* mean over episodes of the sum of entropies, in nats */
  double kl;            /* mean over episodes of nas_policy_kl */
  double gradient_norm; /* as in nas_policy_applied */
} nas_policy_learned;

/* Scores the episodes, sums their gradients in the given order, applies one step. count is at least
 * 1. *learned may be NULL. Errors of nas_policy_score (with the episode's position, from 1),
 * nas_policy_accumulate, nas_policy_apply, and nas_policy_values where there are coefficients. */
NAS_API nas_status nas_policy_learn(nas_policy *policy, const nas_episode *episodes, int count,
                                    nas_policy_learned *learned, nas_error *err);

/* ---- Parameters --------------------------------------------------------------------------- */

/* A block of parameters. Keys ('%' and '/' inside names and option texts are written %25, %2F; u
 * stands for units, n for a count of options):
 *   lstm/<layer>/input   [u][4u]   rows: what comes from below; columns: gates i, f, g, o
 *   lstm/<layer>/hidden  [u][4u]   rows: the layer's own previous output
 *   lstm/<layer>/bias    [1][4u]
 *   start                [1][u]    instead of an option, at the first step
 *   name/<name>          [1][u]
 *   occurrence/<k>       [1][u]
 *   option/<name>/<options>       [n][u]  row k: option k
 *   head/<name>/<options>/weight  [u][n]
 *   head/<name>/<options>/bias    [1][n]
 *   anchor/<name>/previous  [u][u]  rows: the output at the candidate
 *   anchor/<name>/current   [u][u]  rows: the output at the anchor
 *   anchor/<name>/vector    [u][1]
 *   value/weight         [u][1]    the value head; zero at first
 *   value/bias           [1][1] */
typedef struct nas_policy_block {
  const char *key; /* valid while the policy lives */
  size_t first;    /* flat index of its first parameter; rows follow one another */
  int rows;
  int width;
} nas_policy_block;

/* Blocks that have appeared, and the parameters in them. Flat indices run over the blocks in the
 * order of their keys; they shift when a block appears. */
NAS_API int nas_policy_block_count(const nas_policy *policy);
NAS_API size_t nas_policy_size(const nas_policy *policy);

/* The block at that place in the order of keys; NAS_ARGUMENT outside 0 .. count-1. */
NAS_API nas_status nas_policy_block_at(const nas_policy *policy, int index, nas_policy_block *block,
                                       nas_error *err);

/* The block of that key: NAS_OK; NAS_ARGUMENT when none has appeared. */
NAS_API nas_status nas_policy_block_find(const nas_policy *policy, const char *key,
                                         nas_policy_block *block, nas_error *err);

/* Copies parameters first .. first+count-1. NAS_ARGUMENT for a range that is not inside 0 .. size;
 * for set also when a value is not finite. set makes tapes stale, as a step does; it leaves initial
 * values and the state of Adam alone. */
NAS_API nas_status nas_policy_get(const nas_policy *policy, nas_policy_weights weights,
                                  size_t first, size_t count, float *values, nas_error *err);
NAS_API nas_status nas_policy_set(nas_policy *policy, size_t first, size_t count,
                                  const float *values, nas_error *err);

/* The same for a gradient, in the policy's flat order; 0 for a block that it knows nothing of.
 * NAS_STATE for the gradient of another policy. */
NAS_API nas_status nas_policy_gradient_get(const nas_policy *policy,
                                           const nas_policy_gradient *gradient, size_t first,
                                           size_t count, float *values, nas_error *err);

/* *dot receives the inner product of two gradients over all parameters: sum of a[i] b[i], one chain
 * in double in flat order, from 0. The same gradient twice gives its squared norm. NAS_STATE for
 * the gradient of another policy. */
NAS_API nas_status nas_policy_gradient_dot(const nas_policy *policy, const nas_policy_gradient *a,
                                           const nas_policy_gradient *b, double *dot,
                                           nas_error *err);

/* ---- Files -------------------------------------------------------------------------------- */

/* Appends the policy as bytes (core/policy/FORMAT.md): options, seed, parameters and the state of
 * Adam. What is decoded from them samples and learns the same bits as the original. NAS_MEMORY;
 * bytes are then as they were. */
NAS_API nas_status nas_policy_encode(const nas_policy *policy, nas_text *bytes, nas_error *err);

/* A policy from bytes. NAS_FORMAT with offset, expected and found for bytes that are damaged, of
 * an unknown version or not a policy, whatever they are; NAS_MEMORY. */
NAS_API nas_status nas_policy_decode(nas_policy **policy, const void *bytes, size_t size,
                                     nas_error *err);

/* Writes a file in one piece: a temporary file in the same folder, synchronised, renamed over path,
 * the folder synchronised. At any instant path is the old file or the new one. NAS_IO with path and
 * the system's reason; NAS_MEMORY. */
NAS_API nas_status nas_policy_save(const nas_policy *policy, const char *path, nas_error *err);

/* Reads a file. NAS_IO when it can't be read; errors of nas_policy_decode, with the path. */
NAS_API nas_status nas_policy_load(nas_policy **policy, const char *path, nas_error *err);

#endif
