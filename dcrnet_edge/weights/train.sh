#!/usr/bin/env bash
# From raw data to each file of weights, stage by stage; docs/training-the-weights.md explains it.
#
#   FERPLUS=DIR FAIRFACE=DIR IMAGENET=DIR dcrnet_edge/weights/train.sh [STAGE ...]
#
# Stage `fast` makes the shipped EfficientNet-Lite0; the others a better pair.
#
# A stage that is done is skipped, one that was cut off is gone on with: start it again until it
# is through. Without stages named, all run in order.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${FERPLUS:?the folder with fer2013new.csv and the images}"
: "${FAIRFACE:?the folder with train and val of FairFace}"
: "${IMAGENET:?the folder with efficientnet-lite0-57934424.pth and efficientnet-lite2-9656183e.pth}"
out=${OUT:-runs/weights}
common=(--data "$FERPLUS" --landmarks-cache "$out/ferplus.landmarks" --workers "${WORKERS:-1}")
[[ -z ${LANDMARKS:-} ]] || common+=(--landmarks "$LANDMARKS")
attribution="FairFace (Kärkkäinen and Joo 2021), CC BY 4.0."

# Memory that is returned to the system and fetched again costs a quarter of a step on a CPU.
export MALLOC_MMAP_MAX_=${MALLOC_MMAP_MAX_:-0}
export MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-100000000000}
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}

done_with() {
  if [[ -e $1 ]]; then echo "$1 is there." >&2; else return 1; fi
}

# train NAME RECIPE OPTION...: a run in $out/NAME.
train() {
  local run=$out/$1 recipe=$here/recipes/$2.toml resume=()
  shift 2
  done_with "$run/model.safetensors" && return
  [[ -e $run/resume.ckpt ]] && resume=(--resume)
  dcrnet-train "${common[@]}" --config "$recipe" --out "$run" "${resume[@]}" "$@"
}

teacher() {
  train "teacher-$1" teacher --seed "$2" \
    --backbone-weights "$IMAGENET/efficientnet-lite2-9656183e.pth"
}

# The teachers' answers to Train and FairFace are computed by the first run that asks for them.
taught() {
  train "$@" --teacher "$out/teacher-a/model.safetensors" \
    --teacher "$out/teacher-b/model.safetensors" \
    --unlabelled "$FAIRFACE/train" --exclude "$FAIRFACE/val" --unlabelled-license "$attribution"
}

# export NAME: every file that is shipped of a run, each checked against the checkpoint.
export_model() {
  done_with "$out/$1-export" && return
  dcrnet-export "$out/$1/model.safetensors" --out "$out/.$1-export" \
    --int8 --data "$FERPLUS"
  mv "$out/.$1-export" "$out/$1-export"
}

# judge SPLIT MODEL...: accuracy of the models, and of the first what each corruption costs.
judge() {
  local split=$1
  shift
  done_with "$out/$split.json" && return
  dcrnet-eval "$@" "${common[@]}" --split "$split" --corrupt all --json "$out/$split.json"
}

stage() {
  case $1 in
    fast)
      train fast fast --seed 21 --backbone-weights "$IMAGENET/efficientnet-lite0-57934424.pth" \
        --teacher "$here/dcrnet.safetensors" --teacher-size 128
      export_model fast
      ;;
    teacher-a) teacher a 11 ;;
    teacher-b) teacher b 12 ;;
    student) taught student student --seed 21 \
      --backbone-weights "$IMAGENET/efficientnet-lite0-57934424.pth" ;;
    dcrnet) taught dcrnet dcrnet --seed 31 --start-from "$here/dcrnet.safetensors" ;;
    export)
      export_model student
      export_model dcrnet
      ;;
    # Whether the new weights replace the old ones is decided here, before Test is looked at.
    valid) judge valid "$out/dcrnet/model.safetensors" "$out/student/model.safetensors" \
      --size 128 --against "$here/dcrnet.safetensors" ;;
    test) judge test "$out/dcrnet/model.safetensors" "$out/student/model.safetensors" ;;
    *)
      echo "stage $1 is unknown: fast, teacher-a, teacher-b, student, dcrnet, export, valid or test" >&2
      return 2
      ;;
  esac
}

mkdir -p "$out"
(($#)) || set -- fast teacher-a teacher-b student dcrnet export valid test
for name; do
  stage "$name"
done
