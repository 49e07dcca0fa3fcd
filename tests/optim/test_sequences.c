/* Each optimiser against PyTorch, which others wrote. The tables below are what PyTorch 2.15 gave
 * in float64 for `torch.optim.` and the text of the table, by this program:
 *
 *   def run(kind, halved=False, **options):
 *       w = torch.tensor([0.5, -1.25, 2], dtype=torch.float64, requires_grad=True)
 *       optimizer = kind([w], **options)
 *       rate = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5 if halved else 1)
 *       for g in gradients:
 *           w.grad = torch.tensor(g, dtype=torch.float64)
 *           optimizer.step()
 *           rate.step()
 *           print(w.tolist())
 *
 * PyTorch's weight_decay is our l2, but for AdamW. Its RMSprop adds eps after the root, as ours. */
#include "check.h"
#include <nas/optimizer.h>

enum { STEPS = 6, WEIGHTS = 3 };

static const float gradients[STEPS][WEIGHTS] = {{0.25f, -0.5f, 1},    {-0.125f, 0.75f, 0.5f},
                                                {2, 0.0625f, -0.25f}, {0.5f, -1.5f, 0.375f},
                                                {-1, 0.25f, 0},       {0.0625f, 0.5f, -2}};

typedef struct sequence {
  const char *text, *kind;
  int halved; /* whether the rate is halved after each step */
  struct {
    const char *option;
    double value;
  } settings[6];
  double weights[STEPS][WEIGHTS]; /* after each step */
} sequence;

static const sequence sequences[] = {
    {"SGD(lr=0.1)",
     "sgd",
     0,
     {{"rate", 0.1}},
     {{0.475, -1.2, 1.9},
      {0.4875, -1.275, 1.85},
      {0.2875, -1.28125, 1.875},
      {0.2375, -1.13125, 1.8375},
      {0.3375, -1.15625, 1.8375},
      {0.33125, -1.20625, 2.0375}}},
    {"SGD(lr=0.1, momentum=0.9)",
     "sgd",
     0,
     {{"rate", 0.1}, {"momentum", 0.9}},
     {{0.475, -1.2, 1.9},
      {0.465, -1.23, 1.76},
      {0.256, -1.26325, 1.659},
      {0.0179, -1.143175, 1.5306},
      {-0.09639, -1.0601075, 1.41504},
      {-0.205501, -1.03534675, 1.511036}}},
    {"SGD(lr=0.1, momentum=0.9, nesterov=True)",
     "sgd",
     0,
     {{"rate", 0.1}, {"momentum", 0.9}, {"nesterov", 1}},
     {{0.4525, -1.155, 1.81},
      {0.456, -1.257, 1.634},
      {0.0679, -1.293175, 1.5681},
      {-0.19639, -1.0351075, 1.41504},
      {-0.199251, -0.98534675, 1.311036},
      {-0.3037009, -1.013062075, 1.5974324}}},
    {"SGD(lr=0.1, momentum=0.9, weight_decay=0.05)",
     "sgd",
     0,
     {{"rate", 0.1}, {"momentum", 0.9}, {"l2", 0.05}},
     {{0.4725, -1.19375, 1.89},
      {0.4578875, -1.21215625, 1.73155},
      {0.2424468125, -1.228911094, 1.60528725},
      {-0.002662040313, -1.087845898, 1.446124339},
      {-0.1232466976, -0.9804479917, 1.295647097},
      {-0.2374066558, -0.9288876363, 1.353739344}}},
    {"SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)",
     "sgd",
     0,
     {{"rate", 0.1}, {"momentum", 0.9}, {"nesterov", 1}, {"l2", 0.05}},
     {{0.44775, -1.143125, 1.791},
      {0.444971375, -1.229202812, 1.5898855},
      {0.04900825944, -1.24451448, 1.494338038},
      {-0.2208217518, -0.961378505, 1.307553595},
      {-0.2263504182, -0.8855233472, 1.167500359},
      {-0.3320445868, -0.8856674367, 1.416245184}}},
    {"SGD(lr=0.1, momentum=0.9), halved",
     "sgd",
     1,
     {{"rate", 0.1}, {"momentum", 0.9}},
     {{0.475, -1.2, 1.9},
      {0.47, -1.215, 1.83},
      {0.41775, -1.2233125, 1.80475},
      {0.3879875, -1.208303125, 1.7887},
      {0.380844375, -1.203111406, 1.7814775},
      {0.3774346562, -1.202337633, 1.784477375}}},
    {"RMSprop(lr=0.01, alpha=0.9, eps=1e-7)",
     "rmsprop",
     0,
     {{"rate", 0.01}},
     {{0.4683772634, -1.218377243, 1.968377233},
      {0.4831214416, -1.245103358, 1.953633042},
      {0.4517513096, -1.247444565, 1.961179404},
      {0.4437533261, -1.219548831, 1.9500158},
      {0.4586317118, -1.224391799, 1.9500158},
      {0.4576519826, -1.234107816, 1.978546543}}},
    {"RMSprop(lr=0.01, alpha=0.95, eps=0.001, momentum=0.9)",
     "rmsprop",
     0,
     {{"rate", 0.01}, {"rho", 0.95}, {"epsilon", 0.001}, {"momentum", 0.9}},
     {{0.4560645811, -1.205675094, 1.95547775},
      {0.4366071412, -1.203096112, 1.895078305},
      {0.3748651746, -1.203956723, 1.850872986},
      {0.3083022277, -1.165944251, 1.796340589},
      {0.2685337013, -1.138293091, 1.747261432},
      {0.2314513041, -1.126294559, 1.74239574}}},
    {"RMSprop(lr=0.01, alpha=0.9, eps=1e-7, weight_decay=0.05)",
     "rmsprop",
     0,
     {{"rate", 0.01}, {"l2", 0.05}},
     {{0.4683772598, -1.218377241, 1.968377232},
      {0.4798510406, -1.243379438, 1.952646276},
      {0.4484970765, -1.243392099, 1.956831174},
      {0.4402607769, -1.215131823, 1.944268342},
      {0.454715903, -1.218717228, 1.941555821},
      {0.4533890984, -1.227166887, 1.969087923}}},
    {"Adam(lr=0.01, eps=1e-7)",
     "adam",
     0,
     {{"rate", 0.01}},
     {{0.490000004, -1.240000002, 1.990000001},
      {0.487336635, -1.24247702, 1.980678206},
      {0.4807251712, -1.244829334, 1.975041593},
      {0.4740710106, -1.240843283, 1.968844071},
      {0.4713679511, -1.238279601, 1.963605752},
      {0.4688976156, -1.237575454, 1.965753366}}},
    {"Adam(lr=0.1, betas=(0.8, 0.99), eps=0.001)",
     "adam",
     0,
     {{"rate", 0.1}, {"beta1", 0.8}, {"beta2", 0.99}, {"epsilon", 0.001}},
     {{0.4003984064, -1.150199601, 1.9000999},
      {0.3793911514, -1.180629421, 1.808722938},
      {0.3073904567, -1.207526677, 1.759671397},
      {0.2376880359, -1.160357191, 1.702897507},
      {0.2170461801, -1.13296745, 1.658200748},
      {0.1987330016, -1.129915916, 1.696446655}}},
    {"Adam(lr=0.01, eps=1e-7, weight_decay=0.05)",
     "adam",
     0,
     {{"rate", 0.01}, {"l2", 0.05}},
     {{0.4900000036, -1.240000002, 1.990000001},
      {0.48626228, -1.241522193, 1.980554741},
      {0.4795266027, -1.242701901, 1.974071052},
      {0.4727390668, -1.23812669, 1.967054782},
      {0.4698241152, -1.234848875, 1.96074254},
      {0.4671203971, -1.23333571, 1.961855393}}},
    {"AdamW(lr=0.01, eps=1e-7, weight_decay=0.01)",
     "adamw",
     0,
     {{"rate", 0.01}},
     {{0.489950004, -1.239875002, 1.989800001},
      {0.48723764, -1.242228032, 1.980279226},
      {0.4805774525, -1.244456123, 1.974444585},
      {0.4738752341, -1.240345627, 1.968049619},
      {0.471124787, -1.23765791, 1.962614495},
      {0.4686073391, -1.236829998, 1.964565847}}},
    {"AdamW(lr=0.1, betas=(0.8, 0.99), eps=0.001, weight_decay=0.5)",
     "adamw",
     0,
     {{"rate", 0.1}, {"beta1", 0.8}, {"beta2", 0.99}, {"epsilon", 0.001}, {"weight_decay", 0.5}},
     {{0.3753984064, -1.087699601, 1.8000999},
      {0.3356212311, -1.063744441, 1.618717943},
      {0.2468394748, -1.037454475, 1.488730505},
      {0.1647950802, -0.9384122655, 1.35752009},
      {0.1359134704, -0.864101911, 1.244947326},
      {0.1108046185, -0.8178452814, 1.220945867}}},
    {"AdamW(lr=0.1, eps=1e-7, weight_decay=0.5), halved",
     "adamw",
     1,
     {{"rate", 0.1}, {"weight_decay", 0.5}},
     {{0.37500004, -1.08750002, 1.80000001},
      {0.3523081938, -1.072697608, 1.708391034},
      {0.331375682, -1.065169673, 1.672944614},
      {0.3209868832, -1.0535298, 1.654741807},
      {0.318294387, -1.048635217, 1.64629679},
      {0.3170250722, -1.046776679, 1.64439558}}},
};

static void set(const nas_optimizer_kind *kind, nas_option_value *options, const sequence *s) {
  nas_error err = {0};
  nas_options_default(&kind->options, options);
  for (int i = 0; s->settings[i].option; i++) {
    int at = nas_options_find(&kind->options, s->settings[i].option, &err);
    assert_true(at >= 0);
    check_ok(nas_options_set_number(&kind->options, options, at, s->settings[i].value, &err), &err);
  }
}

/* 2e-6: some 8 roundings of a weight of size 2. */
static void check_sequence(const sequence *s) {
  const nas_optimizer_kind *kind = nas_optimizer_find(s->kind, NULL);
  nas_option_value options[NAS_OPTIONS_MAX];
  float weights[WEIGHTS] = {0.5f, -1.25f, 2}, first[WEIGHTS] = {0}, second[WEIGHTS] = {0};
  nas_step step = {.rate = 1, .gradient_scale = 1, .decays = 1};
  print_message("# %s\n", s->text);
  set(kind, options, s);
  for (int t = 0; t < STEPS; t++) {
    step.number = (uint64_t)t + 1;
    kind->step(options, &step, weights, gradients[t], (float *const[]){first, second}, WEIGHTS);
    for (int i = 0; i < WEIGHTS; i++) check_near((double)weights[i], s->weights[t][i], 2e-6);
    if (s->halved) step.rate /= 2;
  }
}

static void pytorch(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) check_sequence(&sequences[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pytorch)};
  return cmocka_run_group_tests_name("sequences", tests, NULL, NULL);
}
