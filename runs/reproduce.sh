#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# The shipped models were made in shorter runs. The glance took some thirty (189 epochs), thirteen of which mixed some of
# an earlier run's weights in (--mix-with), while what is drawn to train on grew. The ones before the last began with the
# `inkdigit` of commit 72b7ebf, whose network is called `small` today:
#
#     G="--epochs 0 --sheets 84000 --pens 8 --invented 20000"
#     inkdigit train --out runs/S2 --from inkdigit $G --glance-epochs 22 --rate 0.005  # hairlines were drawn half as fine
#     inkdigit train --out runs/S3 --from runs/S2 $G --glance-epochs 15
#
# The network was made from nothing with the glance S3, which `tiny` had then. How many runs are before one seeds what it
# draws; so one that trains nothing, between two others, lets the second see other drawings:
#
#     N="--epochs 0 --pens 1 --invented 10"
#     F="--glance tiny --sheets 52000 --pens 10 --invented 20000 --fading 0.5 --revisited 0.8"
#     inkdigit train --out runs/W1 --glance tiny  # the default recipe, without speckled paper and with straighter pages
#     inkdigit train --out runs/W2a --from runs/W1 $F --epochs 12 --rate 0.004 --distortion 0.8
#     inkdigit train --out runs/W1x --from runs/W1 --glance tiny $N
#     inkdigit train --out runs/W2b --from runs/W1x $F --epochs 12 --rate 0.004 --distortion 0.8
#     inkdigit train --out runs/M7 --from runs/W2a --mix-with runs/W2b --mix-part 0.5 --glance tiny $N
#     inkdigit train --out runs/W3a --from runs/M7 $F --epochs 10 --rate 0.002 --distortion 0.6
#     inkdigit train --out runs/M7x --from runs/M7 --glance tiny $N
#     inkdigit train --out runs/W3b --from runs/M7x $F --epochs 8 --rate 0.002 --distortion 0.6
#     inkdigit train --out runs/M8 --from runs/W3a --mix-with runs/W3b --mix-part 0.5 --glance tiny $N
#     inkdigit train --out runs/M9 --from runs/M8 --mix-with runs/M7 --mix-part 0.333 --glance tiny $N
#
# The glance went on under it, half of S3 was mixed in, and into the network a third of what `further` and `finish` make
# of W1:
#
#     inkdigit train --out runs/S5 --from runs/M9 --recipe glance --pens 8 --invented 20000
#     inkdigit train --out runs/S5x --from runs/S5 --glance-epochs 0 $N
#     inkdigit train --out runs/S6 --from runs/S5x $G --glance-epochs 12 --rate 0.003
#     inkdigit train --out runs/P1 --from runs/S6 --mix-with runs/S5 --mix-part 0.5 --glance-epochs 0 $N
#     inkdigit train --out runs/P2 --from runs/P1 --mix-with runs/M9 --mix-part 0.5 --glance-epochs 0 $N
#     inkdigit train --out runs/R1 --from runs/W1x --recipe further
#     inkdigit train --out runs/R2 --from runs/R1 --recipe finish
#     inkdigit train --out runs/M10 --from runs/P2 --mix-with runs/R2 --mix-part 0.33 --glance runs/P2 $N
#     inkdigit export runs/M10 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 7f8ea4a. Its network went on when strokes were first drawn in other hands'
# styles, and with more forms; half of it was mixed in, and it ended gently:
#
#     inkdigit train --out runs/N1 --from inkdigit --recipe further --redrawn 0
#     inkdigit train --out runs/MX --from runs/N1 --mix-with inkdigit --mix-part 0.5 --glance inkdigit --sheets 1000 $N
#     inkdigit train --out runs/N2 --from runs/MX --recipe finish --redrawn 0 --sheets 40000
#
# Then MNIST's digits were redrawn, and it went on twice, on other drawings, half of each (commit f5f139f); and so once
# more, gently, when some ink had gaps:
#
#     O="$N --glance inkdigit --sheets 1000"
#     inkdigit train --out runs/R1 --from runs/N2 --recipe further
#     inkdigit train --out runs/N2x --from runs/N2 $O
#     inkdigit train --out runs/R1b --from runs/N2x --recipe further
#     inkdigit train --out runs/R2 --from runs/R1 --mix-with runs/R1b --mix-part 0.5 $O
#     inkdigit train --out runs/F1a --from runs/R2 --recipe finish --sheets 40000
#     inkdigit train --out runs/R2x --from runs/R2 $O
#     inkdigit train --out runs/F1c --from runs/R2x --recipe finish --sheets 40000
#     inkdigit train --out runs/F2 --from runs/F1a --mix-with runs/F1c --mix-part 0.5 $O
#     inkdigit train --out runs/F3 --from runs/F2 --mix-with runs/N2 --mix-part 0.25 $O
#     inkdigit export runs/F3 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 187c8ea. So it went on twice once more when glyphs were first written, and at last
# what tells digits from none alone:
#
#     H="--recipe finish --epochs 16 --rate 0.003"
#     inkdigit train --out runs/G1 --from runs/F3 $H
#     inkdigit train --out runs/F3x --from runs/F3 $O
#     inkdigit train --out runs/G1b --from runs/F3x $H
#     inkdigit train --out runs/G2 --from runs/G1 --mix-with runs/G1b --mix-part 0.5 $O
#     inkdigit train --out runs/G3 --from runs/G2 --mix-with runs/N2 --mix-part 0.15 $O
#     inkdigit train --out runs/G4 --from runs/G3 --recipe telling
#     inkdigit train --out runs/G5 --from runs/G4 $O  # calibrated on the sheets that every run now is
#     inkdigit export runs/G5 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit f4fddd1. Then shadows got any form, rows of boxes ended, and paper was seen through.
# The glance went on with these, and the network twice, once with the glance of before; a third of each was mixed in:
#
#     K="--recipe glance --pens 4 --invented 12000 --glance-epochs 12"
#     inkdigit train --out runs/T1 --from inkdigit $K
#     inkdigit train --out runs/T2 --from runs/T1 $K
#     inkdigit train --out runs/T3 --from runs/T2 --mix-with runs/T1 --mix-part 0.5 --glance-epochs 0 --sheets 1000 $N
#     inkdigit train --out runs/A --from inkdigit --recipe finish --epochs 14 --rate 0.003
#     inkdigit train --out runs/B --from runs/T1 --recipe finish --epochs 15 --rate 0.003 --glance runs/T1
#     O="$N --glance runs/T3 --sheets 1000"
#     inkdigit train --out runs/J1 --from runs/T3 --mix-with runs/A --mix-part 0.33 $O
#     inkdigit train --out runs/J2 --from runs/J1 --mix-with runs/B --mix-part 0.33 $O
#     inkdigit train --out runs/J3 --from runs/J2 --recipe telling --glance runs/T3
#     inkdigit train --out runs/J4 --from runs/J3 $O  # framing trusts scraps of paper less than it did until here
#     inkdigit export runs/J4 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit f2de6d4. Then little was the matter with most paper, and half of a glance that had
# gone on with that was mixed in. Framing has a second look at large pictures since, with the same glance:
#
#     inkdigit train --out runs/V1 --from inkdigit $K --sheets 60000 --glance-epochs 30
#     inkdigit train --out runs/M1 --from inkdigit --mix-with runs/V1 --mix-part 0.5 --glance-epochs 0 --sheets 1000 $N
#     inkdigit export runs/M1 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 04af9b6. Then less was the matter with a paper at once, and some digits lay as
# framing's closer look sees them. Glance and network went on with that:
#
#     inkdigit train --out runs/V3 --from inkdigit $K --sheets 80000 --glance-epochs 40
#     inkdigit train --out runs/W3 --from inkdigit --recipe finish  # on paper of a commit before, b47c6dd
#     inkdigit train --out runs/MQ --from inkdigit --mix-with runs/W3 --mix-part 0.25 --glance-epochs 0 --sheets 1000 $N
#     inkdigit train --out runs/M2 --from runs/V3 --mix-with inkdigit --mix-part 0.25 --glance-epochs 0 --sheets 1000 $N
#     inkdigit train --out runs/M5 --from runs/MQ --glance runs/M2 --sheets 1000 $N
#     inkdigit export runs/M5 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 0aed589. Then five networks taught it: its own before, one that had gone on from
# half of W3 (MX, W5; both begin with `inkdigit` of commit 04af9b6), and three made anew:
#
#     inkdigit train --out runs/MX --from inkdigit --mix-with runs/W3 --mix-part 0.5 --glance-epochs 0 --sheets 1000 $N
#     inkdigit train --out runs/W5 --from runs/MX --recipe finish
#     for seed in 1 2 3; do inkdigit train --out runs/s$seed --glance inkdigit --seed $seed; done
#     inkdigit train --out runs/t1 --from runs/M5 --recipe taught --taught-by runs/M5,runs/W5,runs/s1,runs/s2
#     inkdigit train --out runs/t3 --from runs/t1 --recipe taught --taught-by runs/M5,runs/W5,runs/s1,runs/s2,runs/s3 \
#         --seed 3 --pens 4 --invented 10000 --sheets 30000 --epochs 4 --rate 0.002
#     inkdigit export runs/t3 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit e1b14b1. Then the glance got four residual blocks, whose last normalisation was
# given the weight 0 in the runs before, so that they added nothing yet. It went on, on paper with bolder print, more
# rings and more shadows, and then the network, on its frames:
#
#     inkdigit train --out runs/g1 --from runs/t3 --recipe glance --pens 4 --invented 12000 --sheets 80000 --glance-epochs 44
#     inkdigit train --out runs/c1 --from runs/t3 --recipe taught --glance runs/g1 --seed 5 --epochs 10 \
#         --taught-by runs/M5,runs/W5,runs/s1,runs/s2,runs/s3,runs/t3 --pens 6 --invented 14000 --sheets 40000
#     inkdigit train --out runs/c2 --from runs/c1 --glance runs/g1 --sheets 1000 $N
#     inkdigit export runs/c2 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 5b42361. Then some of the glance's sheets were blank, and it went on three times: on
# paper of commit e6b95f7, which has more boxes; on that of 31f93cf; and when print was also fine, dotted and aslant, and
# things lay beside the digits. The network stayed:
#
#     K="--recipe glance --pens 4 --invented 12000 --sheets 80000"
#     inkdigit train --out runs/g2 --from runs/g1 $K --glance-epochs 38
#     inkdigit train --out runs/g4 --from runs/g2 $K --glance-epochs 40 --seed 2
#     inkdigit train --out runs/g5 --from runs/g4 $K --glance-epochs 36 --seed 3
#     inkdigit train --out runs/c5 --from runs/c2 --glance runs/g5 --sheets 1000 $N
#     inkdigit export runs/c5 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# `tiny` was made as below, and went on for 14 epochs on S3's frames, 30 and 24 on P2's (rate 0.003, `--distortion` 0.7,
# 0.6 and 0.5, the last two with 30,000 sheets, 8 pens, and `--fading 0.5 --revisited 0.8`); after each, half of it before
# was mixed in. The classics went on for 8 to 13 epochs after their 12, and half of their earlier weights was mixed in.
# All have the glance of `inkdigit` now (`--from runs/tiny --network tiny --name tiny --glance runs/g5 --sheets 1000 $N`,
# and so on).
set -euo pipefail
cd "$(dirname "$0")/.."

ship() {
    cp "runs/$1/$1.onnx" "src/inkdigit/models/$1.onnx.tmp"
    mv "src/inkdigit/models/$1.onnx.tmp" "src/inkdigit/models/$1.onnx"
}

if [ "${1:-}" = quick ]; then
    inkdigit train --out runs/quick --recipe quick
    inkdigit evaluate runs/quick
    exit
fi
inkdigit train --out runs/first --glance inkdigit
inkdigit train --out runs/second --glance inkdigit --seed 2
inkdigit train --out runs/further --recipe further --from runs/first
inkdigit train --out runs/inkdigit --recipe taught --from runs/further --taught-by runs/further,runs/second,inkdigit
inkdigit export runs/inkdigit --int8 --to src/inkdigit/models/inkdigit.onnx
inkdigit train --out runs/tiny --recipe tiny --name tiny
ship tiny
inkdigit train --out runs/lenet5 --recipe tiny --network lenet5 --epochs 12 --rate 0.004 --name lenet5
ship lenet5
inkdigit train --out runs/conv8-16-32 --recipe tiny --network conv8-16-32 --epochs 12 --name conv8-16-32
ship conv8-16-32
inkdigit evaluate
