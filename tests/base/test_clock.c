#include <check.h>
#include <nas/clock.h>

static void goes_on(void **state) {
  (void)state;
  double began = nas_clock(), before = began;
  for (long i = 0; before == began; i++) {
    double now = nas_clock();
    assert_true(now >= before);
    assert_in_range(i, 0, 100000000);
    before = now;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(goes_on)};
  return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
