# Draws what `bench_kernels --points` printed to the file $POINTS as the picture $PICTURE.
points = system("printf %s \"$POINTS\"")
picture = system("printf %s \"$PICTURE\"")
set terminal svg size 900, 600 font "sans-serif, 14" background rgb "white"
set output picture
stats points index 0 using (peak = $1, cache = $2, memory = $3, 0) nooutput
set title "Convolution kernels under the roofs of one core"
set xlabel "operations for each byte that must be moved (FLOP/byte)"
set ylabel "GFLOP/s, counted as a sliding window"
set logscale xy
set grid
set key bottom right
set xrange [0.25:256]
set yrange [2:600]
roof(x, gigabytes) = x * gigabytes < peak ? x * gigabytes : peak
plot roof(x, cache) title sprintf("%.0f GFLOP/s multiply-adds; %.0f GB/s from the cache", peak, cache) \
         with lines linewidth 2 linecolor rgb "black", \
     roof(x, memory) title sprintf("%.0f GB/s from memory", memory) \
         with lines linewidth 2 dashtype 2 linecolor rgb "black", \
     points index 1 using 1:2 title "forward" with points pointtype 7 linecolor rgb "#0072b2", \
     points index 1 using 1:3 title "gradient of the input" with points pointtype 9 linecolor rgb "#d55e00", \
     points index 1 using 1:4 title "gradient of the weights" with points pointtype 5 linecolor rgb "#009e73", \
     points index 1 using 1:5 title "forward, Winograd" with points pointtype 6 linecolor rgb "#0072b2", \
     points index 1 using 1:6 title "gradient of the input, Winograd" with points pointtype 8 linecolor rgb "#d55e00", \
     points index 1 using 1:7 title "gradient of the weights, Winograd" with points pointtype 4 linecolor rgb "#009e73"
